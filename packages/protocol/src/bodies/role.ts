import { bean, boolean, integer, jsonFile, maybe, string, type ValueOfShape } from './shape.ts'

const roleShape = bean({
  /** When the last slave that became a master did, as far as is known here; 1 before any did. */
  epoch: integer(),
  brokerRole: string,
  brokerId: integer(),
  /** What the configuration said when this was written: where it says something else, it counts. */
  configuredRole: string,
  configuredId: integer(),
  /** brokerRole of the master that was followed last; empty where it is not known. */
  masterRole: string,
  /** `tables`: what its master says of groups, delays and timers has not been taken since the log here began anew, or was cut. */
  lacks: string,
  /** Of this store among those of its name: another one has another, and so has one that was emptied. Empty where nobody asked for it. */
  member: string,
  /** It was the master before there was an election: where nobody has ever been elected, it may begin. */
  founds: boolean(),
  /** The log of a master that comes here from its beginning: until its end is here, something is missing. */
  copying: maybe(bean({ from: integer(), to: integer() })),
})
export type RoleRecord = ValueOfShape<typeof roleShape>
/** config/skuaRole.json */
export const roleFile = jsonFile(roleShape)
