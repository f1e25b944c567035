import type { NameChange } from '../memory/disk.ts'
import type { DirectoryNode, Node } from '../memory/tree.ts'
import type { SimRandom } from './random.ts'

type Step = readonly NameChange[]

/**
 * Which names are on the medium, and the steps (create, rename, remove) since that no `syncDirectory` has covered. A
 * step is atomic, so a rename never loses both names; steps on other names survive a power cut independently.
 */
export class UnsyncedNames {
  private readonly medium = new Map<DirectoryNode, Map<string, Node>>()
  private steps: Step[] = []

  changed(step: Step): void {
    this.steps.push(step)
  }

  /** The names of `directory` are on the medium now, and with them earlier steps on which those depend. */
  synced(directory: DirectoryNode): void {
    const needed = new NameSet()
    const taken = new Set<Step>()
    for (const step of this.steps.toReversed()) {
      if (!step.some(change => change.directory === directory) && !needed.hasAny(step)) continue
      taken.add(step)
      needed.add(step)
    }
    this.apply(this.steps.filter(step => taken.has(step)))
    this.steps = this.steps.filter(step => !taken.has(step))
  }

  /** Every step that no other step stands on is kept or reverted by chance; `root` becomes what is found afterwards. */
  powerCut(root: DirectoryNode, random: SimRandom): void {
    const reverted = new NameSet()
    const kept: Step[] = []
    const dice = random.int(4)
    for (const step of this.steps) {
      const keep = dice === 0 || (dice > 1 && random.chance(0.5))
      if (keep && !reverted.hasAny(step)) kept.push(step)
      else reverted.add(step)
    }
    this.apply(kept)
    this.steps = []
    this.restore(root)
  }

  private apply(steps: readonly Step[]): void {
    for (const { directory, name, node } of steps.flat()) {
      const names = this.namesOf(directory)
      if (node === undefined) names.delete(name)
      else names.set(name, node)
    }
  }

  private restore(directory: DirectoryNode): void {
    directory.entries = new Map(this.namesOf(directory))
    for (const child of directory.entries.values()) if (child.kind === 'directory') this.restore(child)
  }

  private namesOf(directory: DirectoryNode): Map<string, Node> {
    let names = this.medium.get(directory)
    if (!names) {
      names = new Map()
      this.medium.set(directory, names)
    }
    return names
  }
}

class NameSet {
  private readonly names = new Map<DirectoryNode, Set<string>>()

  add(step: Step): void {
    for (const { directory, name } of step) {
      const set = this.names.get(directory) ?? new Set()
      this.names.set(directory, set.add(name))
    }
  }

  hasAny(step: Step): boolean {
    return step.some(({ directory, name }) => this.names.get(directory)?.has(name))
  }
}
