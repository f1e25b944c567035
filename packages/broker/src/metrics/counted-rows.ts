/** Rows that are counted one by one, up to a limit; what comes beyond is counted together. */
export class CountedRows<Row> {
  private readonly rows = new Map<string, Row>()
  private readonly make: () => Row
  private readonly limit: number
  private rest: Row | undefined

  /** `limit`: metricsOtelCardinalityLimit. */
  constructor(make: () => Row, limit: number) {
    this.make = make
    this.limit = limit
  }

  /** The row of a key, made when it is first counted. */
  row(key: string): Row {
    const known = this.rows.get(key)
    if (known !== undefined) return known
    if (this.rows.size >= this.limit) {
      this.rest ??= this.make()
      return this.rest
    }
    const made = this.make()
    this.rows.set(key, made)
    return made
  }

  delete(key: string): void {
    this.rows.delete(key)
  }

  entries(): Iterable<[string, Row]> {
    return this.rows
  }

  /** What was counted beyond the limit; undefined where nothing was. */
  get overflow(): Row | undefined {
    return this.rest
  }
}
