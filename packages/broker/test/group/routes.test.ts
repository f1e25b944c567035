import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  deleteSubscriptionGroup,
  getAllSubscriptionGroupConfig,
  getSubscriptionGroupConfig,
  subscriptionGroupTableFile,
  updateAndCreateSubscriptionGroup,
  updateAndCreateSubscriptionGroupList,
} from '@skua-mq/protocol'
import { GroupTable, groupConfig } from '../../src/group/group-table.ts'
import { groupRoutes } from '../../src/group/routes.ts'
import { ask, bodyOf, machine } from '../harness.ts'

function broker() {
  const on = machine()
  const groups = new GroupTable({
    ...on,
    file: on.file('/store/config/subscriptionGroup.json', subscriptionGroupTableFile),
    autoCreate: () => false,
    maxAutoCreated: () => 100_000,
  })
  groups.load()
  const deleted: (readonly [string, boolean])[] = []
  return {
    groups,
    deleted,
    routes: groupRoutes({
      groups,
      clock: on.clock,
      logEnd: () => 0,
      deleted: (group, { cleanOffsets }) => deleted.push([group, cleanOffsets]),
    }),
  }
}

const encoded = updateAndCreateSubscriptionGroup.body!

describe('200', () => {
  test('creates and changes a group; what the tool leaves out has its default', async () => {
    const { groups, routes } = broker()
    const body = encoded.encode({ ...groupConfig('g'), retryMaxTimes: 2 })
    assert.equal((await ask(routes, updateAndCreateSubscriptionGroup, {}, { body })).code, 0)
    assert.equal(groups.find('g')?.retryMaxTimes, 2)
    await ask(routes, updateAndCreateSubscriptionGroup, {}, { body: Buffer.from('{"groupName":"g","brokerId":1}') })
    assert.deepEqual(groups.find('g'), { ...groupConfig('g'), brokerId: 1 })
  })

  test('an attribute is refused with its name: groups here have none', async () => {
    const { groups, routes } = broker()
    const put = (attributes: Map<string, string>) =>
      ask(routes, updateAndCreateSubscriptionGroup, {}, { body: encoded.encode({ ...groupConfig('g'), attributes }) })
    const reply = await put(new Map([['+priority.factor', '1']]))
    assert.deepEqual([reply.code, groups.find('g')], [1, undefined])
    assert.match(reply.remark ?? '', /"\+priority.factor" asks for something/)
    assert.equal((await put(new Map())).code, 0)
  })

  test('a name that is none is refused with 1', async () => {
    const { groups, routes } = broker()
    for (const groupName of ['', 'a b']) {
      const body = encoded.encode(groupConfig(groupName))
      assert.equal((await ask(routes, updateAndCreateSubscriptionGroup, {}, { body })).code, 1)
      assert.equal(groups.find(groupName), undefined)
    }
  })
})

test('207 deletes a group, and its offsets under the name of 4.9 and of 5.x', async () => {
  const { groups, routes, deleted } = broker()
  await groups.put(groupConfig('g'))
  assert.equal((await ask(routes, deleteSubscriptionGroup, { groupName: 'g' })).code, 0)
  assert.equal(groups.find('g'), undefined)
  await ask(routes, deleteSubscriptionGroup, { groupName: 'g', removeOffset: true })
  await ask(routes, deleteSubscriptionGroup, { groupName: 'g', cleanOffset: true })
  assert.deepEqual(deleted, [
    ['g', false],
    ['g', true],
    ['g', true],
  ])
})

test('201 tells all groups with their version, 352 one of them', async () => {
  const { groups, routes } = broker()
  await groups.put({ ...groupConfig('g'), consumeBroadcastEnable: false })
  const all = bodyOf(getAllSubscriptionGroupConfig, await ask(routes, getAllSubscriptionGroupConfig, {}))
  assert.deepEqual(all.dataVersion, groups.version.toJSON())
  assert.deepEqual(all.subscriptionGroupTable, groups.all())
  const one = bodyOf(getSubscriptionGroupConfig, await ask(routes, getSubscriptionGroupConfig, { group: 'g' }))
  assert.equal(one.consumeBroadcastEnable, false)
  assert.equal((await ask(routes, getSubscriptionGroupConfig, { group: 'h' })).code, 26)
})

describe('225', () => {
  const put = (routes: ReturnType<typeof broker>['routes'], groupConfigList: object[]) =>
    ask(routes, updateAndCreateSubscriptionGroupList, {}, { body: Buffer.from(JSON.stringify({ groupConfigList })) })

  test('makes all groups of the list, and none where one cannot be', async () => {
    const { groups, routes } = broker()
    assert.equal((await put(routes, [{ groupName: 'a', retryMaxTimes: 2 }, { groupName: 'b' }])).code, 0)
    assert.deepEqual([groups.find('a')?.retryMaxTimes, groups.find('b')?.retryMaxTimes], [2, 16])
    const refused = await put(routes, [{ groupName: 'c' }, { groupName: 'd', attributes: { '+priority.factor': '1' } }])
    assert.equal(refused.code, 1)
    assert.match(refused.remark ?? '', /^d: the attribute "\+priority.factor"/)
    assert.equal(groups.find('c'), undefined)
  })
})
