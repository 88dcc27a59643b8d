import { consumerOperations } from './helpers/crash/consumers.js'
import { rowsOf } from './helpers/crash/table.js'

for (const buffers of [1, 3]) rowsOf('consumer', buffers, consumerOperations(buffers))
