import { aclVersions } from '@skua-mq/admin'
import { whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { table } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

export const clusterAclConfigVersion = subcommand({
  requests: '52; -c: 106',
  flags: whereFlags(),
  run: ({ session, flags }) => aclVersions(session, whereOf(flags)),
  show: rows => [
    table(
      [
        { title: '#Cluster Name', cell: row => row.clusterName },
        { title: '#Broker Name', cell: row => row.brokerName },
        { title: '#Broker Addr', cell: row => row.address },
        { title: '#AclFilePath', cell: row => row.file || '-' },
        { title: '#AclConfigVersionNum', cell: row => row.version, right: true },
        { title: '#AclLastUpdateTime', cell: row => timeText(row.changedAtMs) },
      ],
      rows,
    ),
  ],
})
