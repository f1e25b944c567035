/**
 * What is published. The packages of this repository are rooms of a few houses: who installs a house gets its rooms with it, so that
 * `npm install @skua-mq/client` installs one package. A room lies in one house only: two copies of a class are two classes.
 * `main`: the room that the house's name imports.
 */
export const houses = [
  { name: '@skua-mq/client', main: 'client', rooms: ['client', 'remoting', 'protocol', 'runtime'] },
  { name: '@skua-mq/admin', main: 'admin', rooms: ['admin'] },
  { name: '@skua-mq/testing', main: 'testing', rooms: ['testing', 'broker', 'store', 'nameserver'] },
  { name: '@skua-mq/nestjs', main: 'nestjs', rooms: ['nestjs'] },
  { name: '@skua-mq/dashboard', main: 'dashboard', rooms: ['dashboard'] },
  { name: 'skua', main: 'skua', rooms: ['skua', 'gateway', 'filter-server'] },
]

export const houseOf = room => houses.find(({ rooms }) => rooms.includes(room))
