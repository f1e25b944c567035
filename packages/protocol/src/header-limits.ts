/**
 * What a header may hold before it is decoded into objects. Properties of 32,767 bytes, each of which JSON writes as six,
 * are the most that an honest sender has (324, 325): 196 KiB. Sends themselves are scanned where they stand, at any length: whoever sends properties that are too long is told so.
 */
export const maxHeaderBytes = 256 * 1024

/** Entries of extFields and members around them; the fullest known header has 40. */
export const maxHeaderMembers = 1024

/** extFields is flat; a little more is let through so that nonsense fails for its content. */
export const maxHeaderDepth = 16

/** Longest remark that is sent, in UTF-16 units: it may quote what a peer sent. */
export const maxRemarkLength = 4096

/** The beginning of a remark that is longer. */
export function boundRemark(remark: string): string {
  return remark.length <= maxRemarkLength ? remark : `${remark.slice(0, maxRemarkLength)}…`
}
