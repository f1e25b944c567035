/** Languages that a command may name, by their number on the wire (remoting.md 3.1). */
export const languageNames = [
  'JAVA',
  'CPP',
  'DOTNET',
  'PYTHON',
  'DELPHI',
  'ERLANG',
  'RUBY',
  'OTHER',
  'HTTP',
  'GO',
  'PHP',
  'OMS',
  'RUST',
  'NODE_JS',
] as const
export type LanguageName = (typeof languageNames)[number]

const numbers = new Map<string, number>(languageNames.map((name, number) => [name, number]))

/** The numbers that code branches on or sends. 4.9 servers know no NODE_JS, so our own commands say JAVA. */
export const Language = { java: 0, cpp: 1, other: 7, go: 9, nodeJs: 13 } as const

/** Undefined for a number without a name. */
export const languageName = (number: number): LanguageName | undefined => languageNames[number]

/** Undefined for an unknown name. */
export const languageNumber = (name: string): number | undefined => numbers.get(name)
