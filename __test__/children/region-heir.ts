// Maps the object behind descriptor 3 and turns its first thousand bytes around.
import { Region } from 'pagecast'

using region = Region.map({ source: { fd: 3 } })
const bytes = region.read(1000)
region.seek(0)
region.write(bytes.map(byte => byte ^ 0xff))
