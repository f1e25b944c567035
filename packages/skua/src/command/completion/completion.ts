import type { Command } from 'commander'
import { bashScript } from './bash.ts'
import { type CommandNode, commandTree } from './command-tree.ts'
import { fishScript } from './fish.ts'
import { zshScript } from './zsh.ts'

const scripts: Readonly<Record<Shell, (nodes: readonly CommandNode[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** Shells that have a completion. */
export type Shell = 'bash' | 'zsh' | 'fish'

/** `skua completion SHELL`: prints what the shell is to source. */
export async function printCompletion(skua: Command, shell: Shell): Promise<void> {
  process.stdout.write(scripts[shell](await commandTree(skua)))
}
