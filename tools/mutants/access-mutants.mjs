import { mutant } from './mutant.mjs'

const inFolder =
  folder =>
  (name, file, from, to, tests, more = {}) =>
    mutant(name, `broker/src/${folder}/${file}`, from, to, {
      tests: tests.map(each => `packages/broker/test/${folder}/${each}.test.ts`),
      ...more,
    })
const acl = inFolder('acl')
const limit = inFolder('limits')
const metric = inFolder('metrics')
const history = inFolder('offset-history')

/** Who is let in, to what, and how often; who is told of it. */
export const accessMutants = [
  acl(
    'a body is not signed',
    'signature.ts',
    'isSame(mac.of(signedText(command.extFields), command.body), given)',
    'isSame(mac.of(signedText(command.extFields), command.body), given) || isSame(mac.of(signedText(command.extFields), undefined), given)',
    ['acl-rules'],
  ),
  acl('a scanned body is not signed', 'mac.ts', 'const end = at + scan.bodyEnd - scan.bodyStart', 'const end = at', [
    'scanned',
  ]),
  acl(
    'a signature with something behind it is right',
    'signature.ts',
    'let difference = expected.length ^ given.length',
    'let difference = 0',
    ['acl-rules'],
  ),
  acl(
    'one field need not be signed by anybody',
    'signature.ts',
    '    unsignedByOld in command.extFields &&\n    isSame(mac.of(signedText(command.extFields, unsignedByOld), command.body), given)',
    "    'consumerGroup' in command.extFields &&\n    isSame(mac.of(signedText(command.extFields, 'consumerGroup'), command.body), given)",
    ['access'],
  ),
  acl(
    'a permission is kept for all requests of its names',
    'permitted.ts',
    '?.get(group)?.has(code) === true',
    '?.get(group) !== undefined',
    ['scanned'],
  ),
  acl('maxPermitted is ignored', 'permitted.ts', 'if (this.count >= maxPermitted) {', 'if (this.count < 0) {', [
    'scanned',
  ]),
  acl(
    'what takes an admin takes nobody',
    'acl-rules.ts',
    'if (adminCodes.has(command.code) && !account.isAdmin) {',
    'if (adminCodes.has(command.code) && account.accessKey === undefined) {',
    ['access'],
  ),
  acl(
    'an admin with lists may do all',
    'acl-rules.ts',
    'if (account.isAdmin && account.hasNoLists) return undefined',
    'if (account.isAdmin) return undefined',
    ['acl-rules'],
  ),
  acl(
    'the trace topic may be read by everybody',
    'acl-rules.ts',
    "kind === 'topic' && name === traceTopic && perm === AclPerm.pub)",
    "kind === 'topic' && name === traceTopic)",
    ['acl-rules'],
  ),
  acl(
    'only the first need of a request counts',
    'acl-rules.ts',
    'const lacking = needs.find(need => !mayHave(account, need))',
    'const lacking = needs.slice(0, 1).find(need => !mayHave(account, need))',
    ['access'],
  ),
  acl(
    'the last file that has an access key counts',
    'acl-rules.ts',
    'if (!this.accounts.has(account.accessKey)) this.accounts.set(',
    'this.accounts.set(',
    ['acl-rules'],
  ),
  acl('DENY denies nothing', 'permission.ts', '(owned & AclPerm.deny) === 0 && (owned & needed)', '(owned & needed)', [
    'acl-rules',
  ]),
  acl(
    'of a batch of acknowledgements only the first is looked at',
    'needs.ts',
    '.acks.flatMap(({ t, c })',
    '.acks.slice(0, 1).flatMap(({ t, c })',
    ['acl-rules'],
  ),
  acl(
    'of a lock only the group is looked at',
    'needs.ts',
    '  return [...group(consumerGroup), ...mqSet.flatMap(queue => topic(queue.topic, AclPerm.sub))]',
    '  return [...group(consumerGroup), ...mqSet.slice(0, 0).flatMap(queue => topic(queue.topic, AclPerm.sub))]',
    ['acl-rules'],
  ),
  acl('a file of the same size is the same file', 'acl-files.ts', 'stat?.modifiedAtMs', 'stat?.directory', [
    'acl-files',
  ]),
  acl('a file of any size is read', 'acl-files.ts', 'if (size > maxFileBytes) throw', 'if (size < 0) throw', [
    'acl-files',
  ]),
  acl('files are watched after a stop', 'acl-files.ts', '    this.timer?.cancel()\n', '', ['acl-files']),
  acl('what would not read is written', 'acl-files.ts', '    new AclFile(path, text).content()\n', '', ['acl-files']),
  acl(
    'whoever is refused is told of each time',
    'acl-gate.ts',
    '?? Number.NEGATIVE_INFINITY) < quietMs) return',
    '?? Number.NEGATIVE_INFINITY) < 0) return',
    ['access'],
  ),
  limit(
    'what is refused counts',
    'client-limits.ts',
    '    for (const { limit, bucket } of needs) {\n      const rate',
    '    for (const { bucket, amount } of needs) bucket.take(amount)\n    for (const { limit, bucket } of needs) {\n      const rate',
    ['client-limits'],
  ),
  limit(
    'addresses that are gone are kept',
    'client-addresses.ts',
    'if (this.gone.size <= maxGoneAddresses && nowMs - leftAtMs < goneMs) return',
    'if (this.gone.size > 0) return',
    ['client-limits'],
  ),
  limit(
    'who hangs up has a fresh second',
    'client-addresses.ts',
    'this.present.get(name) ?? this.gone.get(name) ?? new',
    'this.present.get(name) ?? new',
    ['client-limits'],
  ),
  limit(
    'each address of one network counts for itself',
    'client-network.ts',
    "if (!host.includes(':')) return host",
    "if (host !== '') return host",
    ['client-limits'],
  ),
  limit('maxToldAtOnce is ignored', 'client-limits.ts', 'if (this.told++ >= maxToldAtOnce) return', 'this.told++', [
    'client-limits',
  ]),
  metric(
    'maxScrapes is ignored',
    'exporter.ts',
    'if (this.running.size >= maxScrapes) return',
    'if (this.running.size < 0) return',
    ['exporter'],
  ),
  metric('a stop does not wait for scrapes', 'exporter.ts', '    await Promise.all(this.running)\n', '', ['exporter']),
  history(
    'maxMoves is ignored',
    'offset-history.ts',
    'while (this.count > maxMoves || this.bytes',
    'while (this.bytes',
    ['offset-history'],
  ),
  history(
    'maxHistoryBytes is ignored',
    'offset-history.ts',
    'this.count > maxMoves || this.bytes > maxHistoryBytes',
    'this.count > maxMoves',
    ['offset-history'],
  ),
  history(
    'maxMovesOfGroup is ignored',
    'offset-history.ts',
    '    if (moves.length > maxMovesOfGroup) this.dropOldest(move.group, moves)\n',
    '',
    ['offset-history'],
  ),
  history(
    'a move that came while the file was written counts as written',
    '../persist/periodic-save.ts',
    '    this.dirty = false\n    this.saving = true\n    if (!(await this.parts.file.saveLater(this.parts.value()))) this.dirty = true\n',
    '    this.saving = true\n    this.dirty = !(await this.parts.file.saveLater(this.parts.value()))\n',
    ['offset-history'],
  ),
]
