import type { MessageModel } from '@skua-mq/protocol'
import type { ClientInstance } from '../../instance/client-instance.ts'
import { defaultLocalOffsetStoreDir } from '../local-offset-dir.ts'
import { BrokerOffsetStorage } from './broker.ts'
import { LocalFileOffsetStorage } from './local-file.ts'
import type { OffsetStorage } from './storage.ts'

/** Where Java keeps the offsets: clustering at the broker, broadcasting in a file of this machine. */
export function offsetStorageFor(
  instance: ClientInstance,
  wish: { group: string; messageModel: MessageModel; localOffsetStoreDir: string | undefined },
): OffsetStorage {
  const { group, messageModel, localOffsetStoreDir } = wish
  if (messageModel === 'CLUSTERING') return new BrokerOffsetStorage(instance.calls, group)
  const directory = localOffsetStoreDir ?? defaultLocalOffsetStoreDir()
  return new LocalFileOffsetStorage(instance.runtime.disk, { directory, clientId: instance.clientId, group })
}
