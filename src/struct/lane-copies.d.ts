// The copies of ./lane.ts that ./lanes.ts imports, each under an address of its own.
declare module '*&copy' {
  type Lane = typeof import('./lane.js')
  export const fillLane: Lane['fillLane']
  export const drainLane: Lane['drainLane']
}
