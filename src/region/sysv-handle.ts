/** The id of each `SysVSharedMemory`. Apart from the class, which knows how to map. */
export const segmentIds = new WeakMap<object, number>()
