/** A server beside a broker in the same process may have so much of its descriptors. */
const besidePart = 6
/** What the files of a server that has a process of its own need, and Node itself; less where there are few. */
const reserve = 64

/** Connections that a server beside a broker may have; `most`: where there are descriptors enough. */
export const connectionsBeside = (limit: number | undefined, most: number): number =>
  limit === undefined ? most : Math.min(most, Math.floor(limit / besidePart))

/** The same for a server that has a process of its own. */
export const connectionsAlone = (limit: number | undefined, most: number): number =>
  limit === undefined ? most : Math.min(most, limit - Math.min(reserve, Math.floor(limit / 3)))
