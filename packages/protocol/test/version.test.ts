import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skuaVersion, versionName } from '../src/index.ts'

test('every anchor of remoting.md 3.2 has its name', () => {
  const anchors: Record<number, string> = {
    28: 'V3_0_7_SNAPSHOT',
    37: 'V3_0_11',
    62: 'V3_1_8_SNAPSHOT',
    121: 'V3_4_9',
    137: 'V3_5_8',
    232: 'V4_1_0_SNAPSHOT',
    293: 'V4_4_0',
    315: 'V4_5_1',
    333: 'V4_6_0',
    355: 'V4_7_1',
    373: 'V4_8_0',
    399: 'V4_9_3',
    401: 'V4_9_4',
    409: 'V4_9_8',
    413: 'V5_0_0',
    433: 'V5_1_0',
    441: 'V5_1_4',
    453: 'V5_2_0',
    473: 'V5_3_0',
    475: 'V5_3_1',
    479: 'V5_3_3',
  }
  for (const [number, name] of Object.entries(anchors)) assert.equal(versionName(Number(number)), name)
})

test('numbers outside the table are told apart', () => {
  assert.equal(versionName(27), undefined)
  assert.equal(versionName(32767), 'HIGHER_VERSION')
})

test('our commands say 4.9.8', () => {
  assert.equal(versionName(skuaVersion), 'V4_9_8')
})
