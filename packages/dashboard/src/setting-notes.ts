/** Written by tools/docs/generate.ts: default, whether live, kind, meaning. */
export const settingNotes: Readonly<Record<string, readonly [string, boolean, string, string]>> = {}
