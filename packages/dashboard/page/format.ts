import { language, languages, type TextKey, t } from './text/text.ts'

const numbers = () => new Intl.NumberFormat(language(), { maximumFractionDigits: 1 })

/** With separators; a dash for what is not known. */
export const countText = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : numbers().format(value)

export const percentText = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${numbers().format(share * 100)} %`

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '–'
  const unit = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${numbers().format(bytes / 1024 ** unit)} ${units[unit]}`
}

const two = (value: number): string => String(value).padStart(2, '0')

/** `2026-01-31 12:00:05`, in the browser's zone. */
export function timeText(ms: number): string {
  const at = new Date(ms)
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** A time of such a field with its zone: whoever copies it into a shell elsewhere means the same moment. */
export function zonedTime(local: string): string {
  const east = -new Date(local).getTimezoneOffset()
  if (Number.isNaN(east)) return local
  const [hours, minutes] = [Math.floor(Math.abs(east) / 60), Math.abs(east) % 60]
  return `${local}${local.length === 16 ? ':00' : ''}${east < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`
}

/** What a field of date and time takes. */
export const inputTime = (ms: number): string => timeText(ms).replace(' ', 'T')

/** `3 min`, `2 h`; of what lies in the past or the future. */
export function spanText(ms: number): string {
  const seconds = Math.abs(ms) / 1000
  const [value, unit] =
    seconds < 60
      ? [seconds, 'second']
      : seconds < 3600
        ? [seconds / 60, 'minute']
        : seconds < 86_400
          ? [seconds / 3600, 'hour']
          : [seconds / 86_400, 'day']
  return new Intl.NumberFormat(language(), {
    style: 'unit',
    unit: unit as string,
    unitDisplay: 'short',
    maximumFractionDigits: 0,
  }).format(Math.floor(value as number))
}

/** `RW`, `R`, `W`, or nothing at all. */
export const permText = (perm: number): string =>
  perm < 0 ? '≠' : `${(perm & 4) === 0 ? '' : 'R'}${(perm & 2) === 0 ? '' : 'W'}` || '–'

/** Bytes of a text as lines of hex beside what can be read of them. */
export function hexText(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)]
    const hex = part.map(byte => byte.toString(16).padStart(2, '0')).join(' ')
    const shown = part.map(byte => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join('')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${shown}`)
  }
  return lines.join('\n')
}

/** `push clustering` in words. */
export const modeText = (mode: string): string =>
  mode === ''
    ? '–'
    : mode
        .split(' ')
        .map(word => (`mode_${word}` in languages.en ? t(`mode_${word}` as TextKey) : word))
        .join(' ')
