import { publisherOperations } from './helpers/crash/publishers.js'
import { rowsOf } from './helpers/crash/table.js'

for (const buffers of [1, 3]) rowsOf('publisher', buffers, publisherOperations(buffers))
