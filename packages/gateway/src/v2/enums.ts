// Numbers of the protocol's enumerations (grpc.md 4). What is not named is 0: unspecified.

export const Resolution = { commit: 1, rollback: 2 } as const
export const TransactionSource = { client: 1, serverCheck: 2 } as const
export const Permission = { none: 1, read: 2, write: 3, readWrite: 4 } as const
export type Permission = (typeof Permission)[keyof typeof Permission]
export const FilterType = { tag: 1, sql: 2 } as const
export const AddressScheme = { ipv4: 1, ipv6: 2, domainName: 3 } as const
export const MessageType = {
  unspecified: 0,
  normal: 1,
  fifo: 2,
  delay: 3,
  transaction: 4,
  lite: 5,
  priority: 6,
} as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]
export const DigestType = { crc32: 1, md5: 2, sha1: 3 } as const
export const ClientType = { producer: 1, pushConsumer: 2, simpleConsumer: 3, pullConsumer: 4 } as const
export const Encoding = { identity: 1, gzip: 2 } as const
