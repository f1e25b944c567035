import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { TableFile } from '../persist/table-file.ts'
import { historyFile } from './history-file.ts'
import { OffsetHistory } from './offset-history.ts'
import { historyRoutes } from './routes.ts'

/** Who moved offsets of groups. */
export const offsetHistory: Feature<On<'config' | 'runtime'>, { history: OffsetHistory }> = {
  name: 'offset history',
  make: ({ config, runtime: { clock, disk, events } }) => {
    const path = `${config.storePathRootDir}/config/skua.offsetHistory.jsonl`
    const history = new OffsetHistory({ clock, file: new TableFile({ disk, events, codec: historyFile, path }) })
    return { gives: { history }, tables: [history], routes: historyRoutes(history) }
  },
}
