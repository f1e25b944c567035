import { type TopicPlan, topicPlans } from '@skua-mq/broker'
import { Failure, nodeRuntime } from '@skua-mq/runtime'
import { parse } from 'yaml'

/** A list of topics in a file: YAML, of which JSON is a part. Errors: Failure ECONFIG, DiskError, which name the file. */
export function readTopics(path: string): TopicPlan[] {
  const text = nodeRuntime().disk.readFile(path).toString('utf8')
  let list: unknown
  try {
    list = parse(text)
  } catch (error) {
    throw new Failure('ECONFIG', `${path}: ${(error as Error).message.split('\n')[0]}`)
  }
  return topicPlans(list, path)
}
