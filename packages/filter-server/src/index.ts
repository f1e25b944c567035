export { FilterServer, type FilterServerOptions, filterRefused } from './filter-server.ts'
export { filterServerGroup } from './filtered-pull.ts'
