/** Apache's commands that are not here, with the reason. */
export const leftOut: ReadonlyMap<string, string> = new Map(
  Object.entries({
    updateStaticTopic: 'static topics are 5.x’s; Skua has none',
    remappingStaticTopic: 'static topics are 5.x’s; Skua has none',
    getSyncStateSet: 'there is no controller: Skua replicates from master to slave as 4.9 does',
    getBrokerEpoch: 'there is no controller: Skua replicates from master to slave as 4.9 does',
    electMaster: 'there is no controller: Skua replicates from master to slave as 4.9 does',
    getControllerConfig: 'there is no controller: Skua replicates from master to slave as 4.9 does',
    getControllerMetaData: 'there is no controller: Skua replicates from master to slave as 4.9 does',
    updateControllerConfig: 'there is no controller: Skua replicates from master to slave as 4.9 does',
    cleanBrokerMetadata: 'there is no controller: Skua replicates from master to slave as 4.9 does',
    haStatus: 'request 907 is 5.x’s; brokerStatus and the log tell how far slaves are',
    resetMasterFlushOffset: 'request 908 is 5.x’s',
    addBroker: 'broker containers are 5.x’s',
    removeBroker: 'broker containers are 5.x’s',
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
    updateColdDataFlowCtrGroupConfig: 'cold-data flow control is 5.x’s',
    removeColdDataFlowCtrGroupConfig: 'cold-data flow control is 5.x’s',
    getColdDataFlowCtrInfo: 'cold-data flow control is 5.x’s',
    setCommitLogReadAheadMode: 'request 2004 is 5.x’s',
    dumpCompactionLog: 'compaction topics are 5.x’s',
    exportMetadataInRocksDB: 'there is no RocksDB: tables are JSON files',
    rocksDBConfigToJson: 'there is no RocksDB: tables are JSON files',
    checkRocksdbCqWriteProgress: 'there is no RocksDB: queues are files',
    exportPopRecord: 'check points lie in the log: nothing is kept in RocksDB',
    updateSubGroupList: 'its request (225) is 5.x’s: use updateSubGroup for each',
    updateTopicList: 'its request (18) is 5.x’s: use updateTopic for each',
  }),
)

/** Upper and lower case count as equal. Undefined for a name that is there, or nowhere. */
export function whyLeftOut(name: string): string | undefined {
  const wanted = name.toLowerCase()
  return [...leftOut].find(([known]) => known.toLowerCase() === wanted)?.[1]
}
