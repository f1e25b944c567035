const two = (value: number): string => String(value).padStart(2, '0')

/** `yyyy-MM-dd HH:mm:ss` in local time; N/A where there is none (0 and below). */
export function timeText(ms: number): string {
  if (!(ms > 0)) return 'N/A'
  const at = new Date(ms)
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** With milliseconds: `yyyy-MM-dd HH:mm:ss,SSS`. */
export const timeTextMs = (ms: number): string =>
  ms > 0 ? `${timeText(ms)},${String(ms % 1000).padStart(3, '0')}` : 'N/A'
