import type { Mapping } from './mapping.js'

/** Of each `Region` and `Overlay`, for what lies in one. Apart from the classes, which let nobody else at it. */
export const mappings = new WeakMap<object, Pick<Mapping, 'plan' | 'what' | 'call'>>()
