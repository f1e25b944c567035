import type { MasterAddresses } from '../registration/registration.ts'

/** Where the master of a slave is, as far as somebody has said. */
export class MasterPlace {
  private readonly fixed: string | undefined
  private readonly brokerAddr: string
  private toldHaAddr: string | undefined
  private chosen: MasterAddresses | undefined
  /** For clients. */
  masterAddr: string | undefined
  /** For slaves. */
  haAddr: string | undefined

  /** `fixed`: haMasterAddress; undefined: whoever tells of a master says where it is. */
  constructor({ fixed, brokerAddr }: { readonly fixed: string | undefined; readonly brokerAddr: string }) {
    this.fixed = fixed
    this.haAddr = fixed
    this.brokerAddr = brokerAddr
  }

  /** `masterAddr` is that of the broker at `haAddr`. */
  get isOneBroker(): boolean {
    return this.haAddr === this.toldHaAddr
  }

  /** Name servers say so: they may be wrong where brokers choose their master themselves. */
  told(master: MasterAddresses): void {
    if (this.chosen === undefined) this.learn(master)
  }

  /** True where that is news. */
  elected(master: MasterAddresses): boolean {
    const { chosen } = this
    if (chosen?.masterAddr === master.masterAddr && chosen?.haServerAddr === master.haServerAddr) return false
    this.chosen = master
    this.learn(master)
    return true
  }

  private learn({ masterAddr, haServerAddr }: MasterAddresses): void {
    this.toldHaAddr = haServerAddr ?? this.toldHaAddr
    this.masterAddr = masterAddr === this.brokerAddr ? undefined : masterAddr
    if (this.fixed === undefined && haServerAddr !== undefined) this.haAddr = haServerAddr
  }
}
