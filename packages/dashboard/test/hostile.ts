import type { Page } from 'playwright-core'

const ran = 'window.__ran=(window.__ran||0)+1'
const tags = [
  'img src=x onerror',
  'svg onload',
  'body onload',
  'video src=x onerror',
  'details open ontoggle',
  'input autofocus onfocus',
  'iframe onload',
  'marquee onstart',
  'audio src=x onerror',
  'style onload',
]
const contexts = [
  '',
  '"',
  "'",
  '">',
  "'>",
  '`>',
  '</title>',
  '</textarea>',
  '</style>',
  '</script>',
  '-->',
  ']]>',
  '</pre>',
  '</code>',
  '{{',
  '\u2028',
  '\\',
  '&quot;>',
  '%22%3E',
  '</a>',
]

/** 200 texts that run where a page takes them for HTML, for an address, or for a part of an attribute. */
export const hostileTexts: readonly string[] = [
  ...tags.flatMap(tag => contexts.slice(0, 18).map(before => `${before}<${tag}=${ran}>`)),
  `<script>${ran}</script>`,
  `"><script>${ran}</script>`,
  `javascript:${ran}`,
  `jAvAsCrIpT:${ran}`,
  `java\tscript:${ran}`,
  `data:text/html,<script>${ran}</script>`,
  `" onmouseover="${ran}" x="`,
  `' onfocus='${ran}' autofocus x='`,
  `<a href="javascript:${ran}">x</a>`,
  `<math><mi//xlink:href="data:x,<script>${ran}</script>">`,
  `<table background="javascript:${ran}">`,
  `<base href="http://evil.example/">`,
  `<link rel=stylesheet href="http://evil.example/x.css">`,
  `<meta http-equiv=refresh content="0;url=javascript:${ran}">`,
  `<object data="javascript:${ran}">`,
  `<embed src="javascript:${ran}">`,
  `<form action="javascript:${ran}"><button>x</button></form>`,
  `__proto__`,
  `constructor`,
  `<template><img src=x onerror=${ran}></template>`,
]

/** Members that have one of some words: another one is no answer of the API, and rows would not be shown. */
const choices = new Set(['kind', 'encoding', 'by', 'severity'])

/** Puts hostile texts behind every text of every answer of the API; what they are asked with stays. */
export async function makeHostile(page: Page, texts: readonly string[], { atOnce = 1 } = {}): Promise<void> {
  let next = 0
  const spoil = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const own = Array.from({ length: atOnce }, () => texts[next++ % texts.length])
      return `${value}${own.join('')}`
    }
    if (Array.isArray(value)) return value.map(spoil)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) =>
        choices.has(name)
          ? [name, one]
          : [/^(region|KEYS|TAGS|UNIQ_KEY)$/.test(name) ? String(spoil(name)) : name, spoil(one)],
      ),
    )
  }
  await page.route('**/api/**', async route => {
    if (/api\/(me|tail|messages\/scan)/.test(route.request().url())) return route.continue()
    const response = await route.fetch()
    const json = await response.json().catch(() => undefined)
    return json === undefined ? route.fulfill({ response }) : route.fulfill({ response, json: spoil(json) })
  })
}

/** What came of them: scripts that ran, elements that no page of ours makes, addresses that are none of ours. */
export const damage = (page: Page) =>
  page.evaluate(() => {
    const ours =
      'img:not([src="icon.svg"]), script, iframe, object, embed, base, meta, link, video, audio, style, marquee, form[action], template, math, svg:not([aria-hidden])'
    const app = document.getElementById('app')!
    const handlers = [...app.querySelectorAll('*')].filter(one =>
      [...one.attributes].some(({ name }) => name.startsWith('on')),
    )
    const links = [...app.querySelectorAll('a')].filter(
      // The file of a topic is of our own origin; its name is a parameter, encoded.
      one => !/^(#\/|api\/messages\/export\?[\w%&=+.*-]+$)/.test(one.getAttribute('href')!),
    )
    return {
      ran: (window as unknown as { __ran?: number }).__ran ?? 0,
      strange: [...app.querySelectorAll(ours)].map(one => one.outerHTML.slice(0, 200)),
      handlers: handlers.length,
      links: links.map(one => one.outerHTML.slice(0, 200)),
    }
  })
export const unharmed = { ran: 0, strange: [], handlers: 0, links: [] }
