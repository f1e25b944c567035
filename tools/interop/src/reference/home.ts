import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const logback = (name: string) => `<configuration>
  <appender name="F" class="ch.qos.logback.core.FileAppender">
    <file>\${user.home}/logs/${name}.log</file>
    <encoder><pattern>%d{HH:mm:ss.SSS} %p %t %c{0} - %m%n</pattern></encoder>
  </appender>
  <root level="\${skua.log:-WARN}"><appender-ref ref="F"/></root>
</configuration>
`

/** A ROCKETMQ_HOME with what the 4.9 line insists on finding there. */
export function makeHome(dir: string): void {
  mkdirSync(join(dir, 'conf'), { recursive: true })
  for (const name of ['broker', 'namesrv', 'tools']) {
    writeFileSync(join(dir, 'conf', `logback_${name}.xml`), logback(name))
  }
}

const opened = ['java.nio', 'sun.nio.ch', 'jdk.internal.ref']

/** What a server of either line needs on Java 17. */
export const jvmArguments = (home: string, heapMb: number): string[] => [
  `-Xms${heapMb}m`,
  `-Xmx${heapMb}m`,
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=4',
  `-XX:MaxDirectMemorySize=${heapMb}m`,
  ...opened.flatMap(name => [
    `--add-opens=java.base/${name}=ALL-UNNAMED`,
    `--add-exports=java.base/${name}=ALL-UNNAMED`,
  ]),
  `-Duser.home=${home}`,
]
