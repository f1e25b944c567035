export { timeText, timeTextMs } from '@skua-mq/admin'
