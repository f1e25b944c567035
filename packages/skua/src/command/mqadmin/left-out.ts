/** Apache's commands that are not here, with the reason. */
export const leftOut: ReadonlyMap<string, string> = new Map(
  Object.entries({
    updateStaticTopic: 'there are no static topics: the queues of a topic are those of its brokers',
    remappingStaticTopic: 'there are no static topics: the queues of a topic are those of its brokers',
    getSyncStateSet: 'there is no controller: a slave is made the master by skua broker promote',
    getBrokerEpoch: 'there is no controller: a slave is made the master by skua broker promote',
    electMaster: 'there is no controller: a slave is made the master by skua broker promote',
    getControllerConfig: 'there is no controller: a slave is made the master by skua broker promote',
    getControllerMetaData: 'there is no controller: a slave is made the master by skua broker promote',
    updateControllerConfig: 'there is no controller: a slave is made the master by skua broker promote',
    cleanBrokerMetadata: 'there is no controller: a slave is made the master by skua broker promote',
    resetMasterFlushOffset: 'no slave acts as a master: one that is to be the master is promoted (skua broker promote)',
    addBroker: 'there are no containers of brokers: each is started by itself',
    removeBroker: 'there are no containers of brokers: each is started by itself',
    createUser: 'accounts are those of 4.9: see updateAclConfig',
    updateUser: 'accounts are those of 4.9: see updateAclConfig',
    deleteUser: 'accounts are those of 4.9: see deleteAclConfig',
    getUser: 'accounts are those of 4.9: see clusterAclConfigVersion',
    listUser: 'accounts are those of 4.9: see clusterAclConfigVersion',
    copyUser: 'accounts are those of 4.9: see updateAclConfig',
    createAcl: 'accounts are those of 4.9: see updateAclConfig',
    updateAcl: 'accounts are those of 4.9: see updateAclConfig',
    deleteAcl: 'accounts are those of 4.9: see deleteAclConfig',
    getAcl: 'accounts are those of 4.9: see clusterAclConfigVersion',
    listAcl: 'accounts are those of 4.9: see clusterAclConfigVersion',
    copyAcl: 'accounts are those of 4.9: see updateAclConfig',
    getAclConfig: 'its request (54) is gone from 4.9.8; the files are conf/plain_acl.yml and conf/acl',
    updateColdDataFlowCtrGroupConfig: 'cold data has no flow control: old messages are read beside the others',
    removeColdDataFlowCtrGroupConfig: 'cold data has no flow control: old messages are read beside the others',
    getColdDataFlowCtrInfo: 'cold data has no flow control: old messages are read beside the others',
    setCommitLogReadAheadMode: 'the log is not mapped into memory: how far ahead it is read is not to be set',
    dumpCompactionLog: 'there are no compaction topics',
    exportMetadataInRocksDB: 'there is no RocksDB: tables are JSON files',
    rocksDBConfigToJson: 'there is no RocksDB: tables are JSON files',
    checkRocksdbCqWriteProgress: 'there is no RocksDB: queues are files',
    exportPopRecord: 'check points lie in the log: nothing is kept in RocksDB',
  }),
)

/** Upper and lower case count as equal. Undefined for a name that is there, or nowhere. */
export function whyLeftOut(name: string): string | undefined {
  const wanted = name.toLowerCase()
  return [...leftOut].find(([known]) => known.toLowerCase() === wanted)?.[1]
}
