/** How the header of a frame is written; the reply takes the form of its request (remoting.md 1). */
export const HeaderForm = { json: 0, binary: 1 } as const
export type HeaderForm = (typeof HeaderForm)[keyof typeof HeaderForm]

export const responseFlag = 1
export const onewayFlag = 2

/** A whole command: a request or a reply, as objects (the generic path; hot requests are scanned in place). */
export interface Command {
  /** Request code, or response code where the response flag is set. */
  code: number
  /** Number of the sender's language (remoting.md 3.1); undefined when unknown. */
  language: number | undefined
  version: number
  /** Matches a reply with its request on one connection, in one direction. */
  opaque: number
  flag: number
  remark?: string | undefined
  extFields: Record<string, string>
  /** Undefined for none: there is no empty body on the wire. */
  body?: Uint8Array | undefined
  form: HeaderForm
}

export const isResponse = (command: { readonly flag: number }): boolean => (command.flag & responseFlag) !== 0
export const isOneway = (command: { readonly flag: number }): boolean => (command.flag & onewayFlag) !== 0
