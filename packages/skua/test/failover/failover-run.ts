import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Flows, sleep } from '../flows.ts'
import { BrokerGroup, type Member } from './broker-group.ts'
import { Etcd } from './etcd.ts'
import { OrderedFlow } from './ordered-flow.ts'

/** Of each name; one is lost at a time. */
const members = 3

export interface FailoverPlan {
  readonly names: readonly string[]
  readonly nameServers: number
  /** Processes that are killed with -9, one after another. */
  readonly kills: number
}

/**
 * Kills masters, every second one with its directory, followers now and then, and name servers where there are several, while messages
 * of all kinds are sent and consumed, and topics made and deleted; nobody does anything but to start what was killed.
 */
export class FailoverRun {
  private readonly plan: FailoverPlan
  private readonly group: BrokerGroup
  private readonly flows: Flows
  private readonly ordered: OrderedFlow
  private readonly gapsMs: { readonly chosen: number; readonly acknowledged: number }[] = []
  private nameServerKills = 0
  private followerKills = 0
  private topics = 0

  private constructor(plan: FailoverPlan, group: BrokerGroup) {
    this.plan = plan
    this.group = group
    const { namesrvAddr } = group
    this.flows = new Flows(namesrvAddr)
    this.ordered = new OrderedFlow(namesrvAddr)
  }

  static async run(t: TestContext, plan: FailoverPlan): Promise<void> {
    const etcd = await Etcd.start()
    t.after(() => etcd.stop())
    const names = Object.fromEntries(plan.names.map(name => [name, members]))
    const group = await BrokerGroup.make({ endpoint: etcd.endpoint, names, nameServers: plan.nameServers })
    t.after(() => group.end())
    const run = new FailoverRun(plan, group)
    await run.begin()
    await run.work()
    t.diagnostic(run.figures)
    await run.check()
    await group.stop()
  }

  private async begin(): Promise<void> {
    const { group, flows, ordered, plan } = this
    await group.start()
    for (const name of plan.names) await group.makeTopic('Flow', await group.master(name, members))
    // With the queues of several names keys would move between them while one of the names has no master, as in RocketMQ.
    await group.makeTopic('Ordered', await group.master(plan.names[0]!, members))
    await Promise.all([flows.start(), ordered.start()])
  }

  private async work(): Promise<void> {
    const { flows, ordered, plan } = this
    const running = Promise.all([flows.run(), ordered.run()])
    for (let kill = 0; kill < plan.kills; kill++) {
      const name = plan.names[kill % plan.names.length]!
      if (kill % 5 === 4) await this.killFollower(name, kill)
      else await this.killMaster(name, { deletes: kill % 2 === 0 })
      if (plan.nameServers > 1 && kill % 3 === 2) await this.killNameServer()
    }
    for (const name of plan.names) await this.group.master(name, members)
    flows.stop()
    ordered.stop()
    await running
  }

  private async killMaster(name: string, how: { readonly deletes: boolean }): Promise<void> {
    const { group, flows } = this
    const master = await group.master(name, members)
    await sleep(1000)
    const killedMs = performance.now()
    await group.kill(master, how)
    const acknowledging = flows.nextAcknowledged()
    const next = await group.master(name, members - 1)
    assert.notEqual(next, master)
    const chosen = performance.now() - killedMs
    const acknowledged = (await acknowledging) - killedMs
    this.gapsMs.push({ chosen, acknowledged })
    await this.makeAndDeleteTopic(next)
    await group.startMember(master)
  }

  private async killFollower(name: string, kill: number): Promise<void> {
    const { group } = this
    const master = await group.master(name, members)
    const followers = group.members.filter(each => each !== master && each.id.startsWith(name))
    const follower = followers[kill % followers.length] as Member
    await group.kill(follower, { deletes: kill % 2 === 1 })
    await this.makeAndDeleteTopic(await group.master(name, members - 1))
    await group.startMember(follower)
    this.followerKills++
  }

  private async killNameServer(): Promise<void> {
    const index = this.nameServerKills++ % this.plan.nameServers
    await this.group.killNameServer(index)
    await sleep(1000)
    await this.group.startNameServer(index)
  }

  private async makeAndDeleteTopic(master: Member): Promise<void> {
    const topic = `Gone-${this.topics++}`
    await this.group.makeTopic(topic, master)
    await this.group.deleteTopic(topic, master)
  }

  private get figures(): string {
    const { flows, ordered, gapsMs, followerKills, nameServerKills } = this
    const counts = [...flows.counts()].map(([kind, count]) => `${count} ${kind}`).join(', ')
    const sorted = (key: 'chosen' | 'acknowledged') => gapsMs.map(gap => Math.round(gap[key])).sort((a, b) => a - b)
    const spread = (ms: readonly number[]) => `${ms[Math.floor(ms.length / 2)]} (${ms.at(-1)} at most)`
    const acknowledged =
      this.plan.names.length > 1 ? '' : `, until an acknowledged send ${spread(sorted('acknowledged'))}`
    return (
      `${gapsMs.length} masters, ${followerKills} followers, ${nameServerKills} name servers killed; ${counts}, ${ordered.count} ordered; ` +
      `ms until the next master has a follower ${spread(sorted('chosen'))}${acknowledged}`
    )
  }

  private async check(): Promise<void> {
    const { flows, ordered, plan } = this
    const { missing, wrong } = await flows.settled()
    assert.deepEqual(missing, [], 'what was acknowledged comes')
    assert.deepEqual(wrong, [], 'what was rolled back does not')
    assert.deepEqual(await ordered.missing(), [])
    assert.deepEqual(ordered.disordered, [])
    for (const kind of ['retried', 'delayed', 'committed', 'checked', 'rolled back'])
      assert.ok((flows.counts().get(kind) ?? 0) > 5 * plan.kills, `${flows.counts().get(kind)} ${kind}`)
    await Promise.all([flows.close(), ordered.close()])
  }
}
