import { addWritePerm as add, wipeWritePerm as wipe } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

const change = (verb: 'wipe' | 'add', request: number, run: typeof wipe) =>
  subcommand({
    requests: String(request),
    changes: true,
    flags: { brokerName: needed(text('b', 'brokerName', 'name of the broker')) },
    run: ({ session, flags }) => run(session, flags.brokerName),
    show: (changes, { flags: { brokerName } }) =>
      changes.map(({ address, topics }) =>
        lines(`${verb} write perm of broker[${brokerName}] in name server[${address}] OK, ${topics}`),
      ),
  })

export const wipeWritePerm = change('wipe', 205, wipe)
export const addWritePerm = change('add', 327, add)
