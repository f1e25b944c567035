import { NetError } from '../error.ts'
import type { Http, HttpAnswer, HttpListener, HttpRequest } from '../http.ts'
import type { Address, Net } from '../net.ts'

export interface SimHttpAnswer {
  readonly status: number
  readonly type: string
  /** The body as it came; one piece where it was made whole. */
  readonly pieces: readonly string[]
}

/** HTTP without bytes: who listens is asked by `ask`. Ports are those of the machine's net. */
export class SimHttp implements Http {
  private readonly net: Net
  private readonly answers = new Map<number, (request: HttpRequest) => HttpAnswer>()

  constructor(net: Net) {
    this.net = net
  }

  async listen(at: Address, answer: (request: HttpRequest) => HttpAnswer): Promise<HttpListener> {
    const listener = await this.net.listen(at, socket => socket.destroy())
    const { port } = listener.address
    this.answers.set(port, answer)
    return {
      address: listener.address,
      close: async () => {
        this.answers.delete(port)
        await listener.close()
      },
    }
  }

  /** As a client that takes each piece at once. Errors: ECONNREFUSED, and whatever ends the body. */
  async ask(port: number, path: string, method = 'GET'): Promise<SimHttpAnswer> {
    const { status, type, body } = this.answer(port, { method, path })
    if (typeof body === 'string') return { status, type, pieces: [body] }
    const pieces: string[] = []
    for await (const piece of body) pieces.push(piece)
    return { status, type, pieces }
  }

  /** The answer itself, whose body nobody has read. Errors: ECONNREFUSED. */
  answer(port: number, request: HttpRequest): HttpAnswer {
    const answer = this.answers.get(port)
    if (answer === undefined) throw new NetError('ECONNREFUSED', `nobody listens on ${port}`)
    return answer(request)
  }
}
