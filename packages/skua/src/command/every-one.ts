/** Parser of a flag that may be given several times: all of them, in their order. */
export const everyOne = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]
