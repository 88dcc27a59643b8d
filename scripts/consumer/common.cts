// The same from CommonJS.
import pagecast = require('pagecast')

using consumer = pagecast.Consumer.openDynamic('pose')
console.log(consumer.read())
