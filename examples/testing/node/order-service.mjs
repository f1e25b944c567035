// What is tested in the three examples beside: a service that bills orders, and gives up on those that nobody can pay.
import { Producer, PushConsumer } from '@skua-mq/client'

/** `client`: options of every client: the address of the name server, and in tests whatever the broker of the test gives. */
export class OrderService {
  bills = []

  constructor(client) {
    this.producer = new Producer({ ...client, group: 'orders' })
    this.consumer = new PushConsumer({ ...client, group: 'billing', maxReconsumeTimes: 3 })
  }

  async start() {
    await this.producer.start()
    await this.consumer
      .subscribe('Orders')
      .onMessage(message => this.bill(message.json()))
      .start()
  }

  /** Billed at once, or when it is due. */
  order(order, { delayMs } = {}) {
    return this.producer.send({ topic: 'Orders', body: JSON.stringify(order), keys: order.id, delayMs })
  }

  bill(order) {
    if (order.amount < 0) throw new Error(`nobody pays ${order.amount}`)
    this.bills.push(order.id)
  }

  async stop() {
    await Promise.all([this.producer.close(), this.consumer.close()])
  }
}
