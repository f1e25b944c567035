import { brokerPorts } from '@skua-mq/broker'
import { DiskError, type Failure, ListenError } from '@skua-mq/runtime'

/** Which setting says where something is, so that whoever reads of a failure knows what to change. */
export interface StartPlaces {
  /** The directory of the store, and what says it; undefined where there is none. */
  readonly root?: string
  readonly rootBy?: string
  /** By port: `listenPort of broker.conf`, `--port`. */
  readonly ports: ReadonlyMap<number, string>
  readonly hostBy: string
}

/** The ports of a broker with the setting that says them. */
export const portsBy = (listenPort: number, setting: string): [number, string][] =>
  brokerPorts(listenPort).map(({ port }) => {
    const beside = port - listenPort
    return [
      port,
      beside === 0 ? setting : `${setting} (the port is that ${beside > 0 ? '+' : '-'} ${Math.abs(beside)})`,
    ]
  })

const diskReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a file stands where a directory is wanted',
  EEXIST: 'a file stands where a directory is wanted',
  ENOENT: 'no directory can be made there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EIO: 'the disk fails',
  EMFILE: 'too many files are open (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
}

/** The same error, or one that says cause and remedy in a line. */
export function startFailure(error: unknown, places: StartPlaces): unknown {
  if (error instanceof ListenError)
    return new Error(`${error.message}; ${listenRemedy(error, places)}`, { cause: error })
  const { code } = error as Partial<Failure>
  if (code === 'ESTORELOCKED') {
    const remedy = `end that one first, or name another directory with ${places.rootBy}`
    return new Error(`${(error as Error).message}: ${remedy}`, { cause: error })
  }
  if (!(error instanceof DiskError) || !isBelow(error.path, places.root ?? '')) return error
  const reason = diskReasons[error.code]
  if (reason === undefined) return error
  return new Error(`${error.path}: ${reason} (${error.code}); ${diskRemedy(error.code, places)}`, { cause: error })
}

/** In the directory, or on the way to it. */
const isBelow = (path: string, root: string): boolean =>
  root !== '' && (path === root || path.startsWith(`${root}/`) || root.startsWith(path === '/' ? path : `${path}/`))

function diskRemedy(code: string, { root, rootBy }: StartPlaces): string {
  const another = `${rootBy} names another directory than ${root}`
  if (code === 'EACCES' || code === 'EPERM') return `make it this user’s, or: ${another}`
  if (code === 'EROFS') return `mount it to be written, or: ${another}`
  if (code === 'ENOSPC' || code === 'EDQUOT') return `make room, or: ${another}`
  return another
}

function listenRemedy({ code, at }: ListenError, { ports, hostBy }: StartPlaces): string {
  const setting = ports.get(at.port) ?? 'the configuration'
  switch (code) {
    case 'EADDRINUSE':
      return `end who listens there, or say another port with ${setting}`
    case 'EACCES':
      return `ports below 1024 take rights (CAP_NET_BIND_SERVICE); say one above with ${setting}`
    case 'EADDRNOTAVAIL':
      return `${hostBy} says the address`
    default:
      return `${setting} says the port`
  }
}
