import { SchemaError } from '../errors.js'

/** Refuses a schema. The path may be unchecked text, so it is shortened and what a terminal could stumble over is escaped. */
export function schemaFault(path: string, fact: string): never {
  const subject = path === '' ? 'schema' : `schema field ${JSON.stringify(path.slice(0, 255)).slice(1, -1)}`
  throw new SchemaError('ERR_INVALID_SCHEMA', `${subject}: ${fact}`)
}
