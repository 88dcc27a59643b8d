import type { Mapping } from './mapping.js'

/** Of each `Region`, for what lies in one. Apart from the class, which lets nobody else at it. */
export const mappings = new WeakMap<object, Mapping>()
