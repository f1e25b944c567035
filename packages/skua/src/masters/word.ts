/** What a broker of a family tells the process that started it: the line of its start, or why it cannot start. */
export type MemberWord = { readonly ready: string } | { readonly problem: string }

export const isMemberWord = (word: unknown): word is MemberWord =>
  typeof word === 'object' && word !== null && ('ready' in word || 'problem' in word)
