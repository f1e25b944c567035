import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { entries as mqadmin } from '../../src/command/mqadmin/subcommands.ts'
import { entries as people } from '../../src/command/people/list.ts'
import { until } from '../people/run.ts'
import { ServerProcess } from '../server-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'skua-completion-'))
after(() => rmSync(folder, { recursive: true }))

async function scriptOf(shell: string): Promise<string> {
  const printed = ServerProcess.skua(['completion', shell])
  assert.equal(await printed.exit(), 0, printed.errors)
  const file = join(folder, `skua.${shell}`)
  writeFileSync(file, printed.output)
  return file
}

const has = (command: string) => spawnSync(command, ['--version']).status === 0
const unless = (command: string) => (has(command) ? false : `${command} is not installed`)

const bash = await scriptOf('bash')

/** What bash's own function offers for a command line; the last word is the one that is typed at. */
function bashOffers(...words: string[]): string[] {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: bash knows these, too
  const run = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _skua; printf "%s\\n" "${COMPREPLY[@]}"'
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', run, bash, ...words], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.deepEqual([status, stderr], [0, ''])
  return stdout.split('\n').filter(line => line !== '')
}

test('bash: a broker’s flags, but those that only its own processes are given', () => {
  const offered = bashOffers('skua', 'broker', '--m')
  assert.ok(
    offered.some(word => word.trim() === '--masters'),
    offered.join(),
  )
  assert.ok(!offered.some(word => word.includes('member')), offered.join())
})

test('bash: every command for people, and every subcommand of mqadmin, by either name', () => {
  const first = bashOffers('skua', '')
  for (const { name } of people) {
    const [word = '', second] = name.split(' ')
    assert.ok(first.includes(word), name)
    if (second !== undefined) assert.ok(bashOffers('skua', word, '').includes(second), name)
  }
  const names = [...mqadmin.map(({ name }) => name), 'help']
  assert.deepEqual(bashOffers('skua', 'mqadmin', ''), names)
  assert.deepEqual(bashOffers('bin/mqadmin', ''), names)
  assert.ok(first.includes('broker') && first.includes('store') && first.includes('mqadmin'))
})

test('bash: what is begun is completed; flags are those of the command, behind values of flags, too', () => {
  assert.deepEqual(bashOffers('skua', 'off'), ['offsets'])
  assert.deepEqual(bashOffers('skua', 'offsets', 'u'), ['undo'])
  assert.deepEqual(bashOffers('skua', 'offsets', 'reset', '--to'), ['--topic', '--to'])
  assert.deepEqual(bashOffers('skua', 'lag', '--timeout-ms', 'offsets', '--js'), ['--json'])
  assert.deepEqual(bashOffers('skua', 'dlq', 'resend', 'g', '--r'), ['--rate'])
  assert.deepEqual(bashOffers('mqadmin', 'updateTopic', '--read'), ['--readQueueNums'])
  assert.deepEqual(bashOffers('mqadmin', 'topicList', '--read'), [])
  assert.deepEqual(bashOffers('skua', 'completion', ''), ['bash', 'zsh', 'fish'])
})

test('bash: files where a file is wanted, with blanks in their names, and nowhere else', () => {
  mkdirSync(join(folder, 'body of it'))
  assert.deepEqual(bashOffers('skua', 'dlq', 'resend', 'g', '--body', 'bo'), ['body of it'])
  assert.deepEqual(bashOffers('skua', 'store', 'verify', 'bo'), ['body of it'])
  assert.deepEqual(bashOffers('skua', 'dlq', 'resend', 'g', '--rate', 'bo'), [])
  assert.deepEqual(bashOffers('skua', 'lag', 'bo'), [])
})

test('bash: the function is bound to both commands', () => {
  const { stdout } = spawnSync('bash', ['--norc', '-c', `source ${bash}; complete -p skua mqadmin`], {
    encoding: 'utf8',
  })
  assert.equal(stdout, 'complete -F _skua skua\ncomplete -F _skua mqadmin\n')
})

test('fish: the same, with what each is for', { skip: unless('fish') }, async () => {
  const file = await scriptOf('fish')
  const offers = (line: string) => {
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], {
      ...{ cwd: folder, encoding: 'utf8' },
      env: { ...process.env, HOME: folder },
    })
    assert.equal(stderr, '')
    return stdout.trimEnd().split('\n')
  }
  const [help] = people.filter(({ name }) => name === 'offsets undo').map(entry => entry.help)
  assert.deepEqual(offers('skua offsets u'), [`undo\t${help}`])
  assert.match(offers('bin/mqadmin updateTopic --readQ')[0]!, /^--readQueueNums\t/)
  assert.deepEqual(offers('skua lag --timeout-ms lag --js'), ['--json\tprint JSON'])
  assert.deepEqual(offers('skua dlq resend g --body skua.ba'), ['skua.bash'])
})

const zsh = unless('zsh') || unless('script')

test('zsh: what is typed and completed in a terminal', { skip: zsh }, async () => {
  const file = await scriptOf('zsh')
  const shell = spawn('script', ['-qefc', 'zsh -f -i', '/dev/null'], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] })
  let output = ''
  shell.stdout.on('data', chunk => {
    output += String(chunk)
  })
  const closed = new Promise(resolve => shell.once('close', resolve))
  try {
    shell.stdin.write(`autoload -U compinit; compinit -D; source ${file}; bindkey -e; print re''ady\n`)
    await until('the shell is ready', () => output.includes('ready'))
    for (const [typed, completed] of [
      ['skua offsets un', 'skua offsets undo'],
      ['mqadmin updateTopicP', 'mqadmin updateTopicPerm'],
      ['skua dlq resend g --ra', 'skua dlq resend g --rate'],
      ['skua lag --timeout-ms lag --js', 'skua lag --timeout-ms lag --json'],
      ['skua dlq resend g --body skua.ba', 'skua dlq resend g --body skua.bash'],
    ] as const) {
      // Back to the beginning of the line, where a word makes it print itself.
      shell.stdin.write(`${typed}\t\u0001print -r -- "[" \u0005 "]"\n`)
      await until(completed, () => output.includes(`[ ${completed} ]`))
    }
  } finally {
    shell.stdin.write('exit\n')
    await closed
  }
})

test('a shell that has none is refused with those that have one', async () => {
  const wrong = ServerProcess.skua(['completion', 'tcsh'])
  assert.equal(await wrong.exit(), 1)
  assert.match(wrong.errors, /Allowed choices are bash, zsh, fish/)
})
