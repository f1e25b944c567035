import { en } from './en.ts'
import { zh } from './zh.ts'

export type TextKey = keyof typeof en
export const languages = { en, zh } as const
export type Language = keyof typeof languages

const stored = (): Language | undefined => {
  const value = safeGet('skua-language')
  return value === 'en' || value === 'zh' ? value : undefined
}

/** Storage may be switched off. */
export function safeGet(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? undefined
  } catch {
    return undefined
  }
}

export function safeSet(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // Then it is for this visit only.
  }
}

let current: Language = stored() ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en')

export const language = (): Language => current

export function setLanguage(next: Language): void {
  current = next
  safeSet('skua-language', next)
  document.documentElement.lang = next
}

/** A text by its key; `{name}` stands for a value. */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  const text: string = languages[current][key]
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole))
}
