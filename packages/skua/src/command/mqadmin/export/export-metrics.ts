import {
  type AdminSession,
  brokerConfig,
  brokerRuntimeInfo,
  brokerStats,
  clusterBrokers,
  each,
  findConsumers,
  groupConfigs,
  systemTopics,
  topicConfigs,
} from '@skua-mq/admin'
import { halfTopic, scheduleTopic } from '@skua-mq/protocol'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'
import { defaultExportPath, exportTo } from './file.ts'

export const exportMetrics = subcommand({
  requests: '106, 28, 26, 201, 21, 305, 315, 203',
  flags: {
    clusterName: needed(text('c', 'clusterName', 'name of the cluster')),
    filePath: text('f', 'filePath', `directory of the file (default: ${defaultExportPath})`),
  },
  run: async ({ session, flags: { clusterName, filePath: directory = defaultExportPath } }) => {
    const masters = (await clusterBrokers(session, clusterName)).filter(({ brokerId }) => brokerId === 0)
    const reports = await each(masters, async ({ brokerName, address }) => ({
      brokerName,
      report: await reportOf(session, address),
    }))
    const sum = <K extends string>(table: (report: Report) => Readonly<Record<K, number>>, key: K) =>
      reports.reduce((total, { report }) => total + table(report)[key], 0)
    const tps = ({ runtimeQuota }: Report) => runtimeQuota.tps
    const day = ({ runtimeQuota }: Report) => runtimeQuota.oneDayNum
    const value = {
      evaluateReport: Object.fromEntries(reports.map(({ brokerName, report }) => [brokerName, report])),
      totalData: {
        totalTps: {
          totalNormalInTps: sum(tps, 'normalInTps'),
          totalNormalOutTps: sum(tps, 'normalOutTps'),
          totalTransInTps: sum(tps, 'transInTps'),
          totalScheduleInTps: sum(tps, 'scheduleInTps'),
        },
        totalOneDayNum: {
          normalOneDayInNum: sum(day, 'normalOneDayInNum'),
          normalOneDayOutNum: sum(day, 'normalOneDayOutNum'),
          transOneDayInNum: sum(day, 'transOneDayInNum'),
          scheduleOneDayInNum: sum(day, 'scheduleOneDayInNum'),
        },
      },
    }
    return { path: exportTo(session.runtime.disk, { directory, name: 'metrics.json' }, value), ...value }
  },
  show: ({ path }) => [lines(`export ${path} success`)],
})

type Report = Awaited<ReturnType<typeof reportOf>>

/** One master: what it runs on, what it does, and who consumes. */
async function reportOf(session: AdminSession, address: string) {
  const info = await brokerRuntimeInfo(session, address)
  const config = await brokerConfig(session, address)
  const groups = await groupConfigs(session, address)
  const system = new Set(await systemTopics(session, address))
  const topics = (await topicConfigs(session, address)).filter(({ topicName }) => !system.has(topicName))
  const trans = await putNums(session, address, halfTopic)
  const schedule = await putNums(session, address, scheduleTopic)
  const number = (key: string): number => Number.parseFloat(info[key] ?? '') || 0
  return {
    runtimeEnv: { cpuNum: config['clientCallbackExecutorThreads'], totalMemKBytes: info['totalMemKBytes'] },
    runtimeQuota: {
      diskRatio: {
        commitLogDiskRatio: info['commitLogDiskRatio'],
        consumeQueueDiskRatio: info['consumeQueueDiskRatio'],
      },
      tps: {
        normalInTps: number('putTps'),
        normalOutTps: number('getTransferedTps'),
        transInTps: trans.tps,
        scheduleInTps: schedule.tps,
      },
      oneDayNum: {
        normalOneDayInNum: number('msgPutTotalTodayMorning') - number('msgPutTotalYesterdayMorning'),
        normalOneDayOutNum: number('msgGetTotalTodayMorning') - number('msgGetTotalYesterdayMorning'),
        transOneDayInNum: trans.day,
        scheduleOneDayInNum: schedule.day,
      },
      messageAverageSize: info['putMessageAverageSize'],
      topicSize: topics.length,
      groupSize: groups.length,
    },
    runtimeVersion: {
      rocketmqVersion: info['brokerVersionDesc'],
      clientInfo: await clientsOf(
        session,
        address,
        groups.map(({ groupName }) => groupName),
      ),
    },
  }
}

async function putNums(session: AdminSession, address: string, topic: string): Promise<{ tps: number; day: number }> {
  const item = await brokerStats(session, address, { statsName: 'TOPIC_PUT_NUMS', statsKey: topic })
  return { tps: item?.minute.tps ?? 0, day: item?.day.sum || item?.hour.sum || item?.minute.sum || 0 }
}

/** `language%version` of those who are connected, each once. */
async function clientsOf(session: AdminSession, address: string, groups: readonly string[]): Promise<string[]> {
  const found = await each(groups, group => findConsumers(session, group, address))
  const kinds = found.flatMap(online =>
    online?.clients.map(({ language, versionName }) => `${language}%${versionName}`),
  )
  return [...new Set(kinds.filter(kind => kind !== undefined))].sort()
}
