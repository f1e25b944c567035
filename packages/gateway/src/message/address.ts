/** 4 or 6 for the text of an IP address, else 0. */
export function isIP(host: string): 0 | 4 | 6 {
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(host)) return 4
  return /^[0-9a-f:]*:[0-9a-f:.]*$/i.test(host) ? 6 : 0
}
