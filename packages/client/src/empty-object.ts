/** `{}`: what a reply without a body is read as. */
export const emptyObject = Buffer.of(0x7b, 0x7d)
