import type { Field, Layout } from './field.js'
import { isFieldName, MAX_ALIGNMENT, MAX_BYTE_LENGTH, MAX_FIELDS, NAME_RULE } from './limits.js'
import { describe, joinPath } from './problem.js'
import { schemaFault } from './schema-fault.js'

/** Throws `ERR_INVALID_SCHEMA` unless whoever reads by this layout stays inside it, aligned. */
export function checkLayout(layout: Layout, path: string): void {
  checkSizes(layout, path)
  checkNames(layout.fields, path)
  for (const field of layout.fields) checkPlace(field, layout, joinPath(path, field.name))
  checkOverlap(layout.fields, path)
}

function checkSizes({ byteLength, alignment, fields }: Layout, path: string): void {
  const require = (holds: boolean, fact: string): void => {
    if (!holds) schemaFault(path, fact)
  }
  require(fields.length >= 1 && fields.length <= MAX_FIELDS, `${fields.length} fields, 1 to ${MAX_FIELDS} are taken`)
  require(byteLength >= 1 && byteLength <= MAX_BYTE_LENGTH, `byteLength ${byteLength}, 1 to ${MAX_BYTE_LENGTH} is taken`)
  const isPossible = alignment <= MAX_ALIGNMENT && Number.isInteger(Math.log2(alignment))
  require(isPossible, `alignment ${alignment} is no power of two up to ${MAX_ALIGNMENT}`)
  require(byteLength % alignment === 0, `byteLength ${byteLength} is no multiple of its alignment ${alignment}`)
}

function checkNames(fields: readonly Field[], path: string): void {
  const seen = new Set<string>()
  fields.forEach(({ name }, index) => {
    if (!isFieldName(name)) schemaFault(joinPath(path, `${index}`), `a field name is ${NAME_RULE}, found ${describe(name)}`)
    if (seen.has(name)) schemaFault(joinPath(path, name), 'declared twice')
    seen.add(name)
  })
}

function checkPlace({ type, byteOffset }: Field, parent: Layout, path: string): void {
  const { byteLength, alignment } = type
  if (byteOffset + byteLength > parent.byteLength) {
    schemaFault(path, `${byteLength} bytes at byteOffset ${byteOffset}, its struct has ${parent.byteLength}`)
  }
  if (byteOffset % alignment !== 0) schemaFault(path, `byteOffset ${byteOffset} is no multiple of its alignment ${alignment}`)
  if (alignment > parent.alignment) schemaFault(path, `needs alignment ${alignment}, its struct has ${parent.alignment}`)
}

function checkOverlap(fields: readonly Field[], path: string): void {
  const inOrder = [...fields].sort((a, b) => a.byteOffset - b.byteOffset)
  inOrder.reduce((before, field) => {
    if (before.byteOffset + before.type.byteLength > field.byteOffset) {
      schemaFault(joinPath(path, field.name), `byteOffset ${field.byteOffset} is inside field ${before.name}`)
    }
    return field
  })
}
