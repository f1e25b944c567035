# The official gRPC client for Python behind lines of JSON: one command a line on standard input, one answer a line on standard output.
import json
import os
import sys
import threading
import time

from rocketmq import (ClientConfiguration, ConsumeResult, Credentials, FilterExpression, Message, MessageListener,
                      Producer, PushConsumer, SimpleConsumer, TransactionChecker, TransactionResolution)

lock = threading.Lock()
producers, consumers, received, held, checked = {}, {}, {}, {}, []


def answer(value):
    with lock:
        sys.stdout.write(json.dumps(value) + '\n')
        sys.stdout.flush()


def configuration(request):
    credentials = Credentials(os.environ.get('SKUA_ACCESS_KEY', ''), os.environ.get('SKUA_SECRET_KEY', ''))
    return ClientConfiguration(request['endpoints'], credentials)


class Checker(TransactionChecker):
    def __init__(self, resolution):
        self.resolution = resolution

    def check(self, message):
        checked.append(message.body.decode())
        return TransactionResolution.Value(self.resolution)


def producer_of(request):
    key = (request['endpoints'], request['topic'], request.get('check'))
    if key not in producers:
        checker = Checker(request['check']) if request.get('check') else None
        producer = Producer(configuration(request), (request['topic'],), checker=checker)
        producer.startup()
        producers[key] = producer
    return producers[key]


def send(request):
    producer = producer_of(request)
    results = []
    for i in range(request.get('count', 1)):
        message = Message()
        message.topic = request['topic']
        count = request.get('count', 1)
        message.body = (request.get('body', 'hello') + (f' {i}' if count > 1 else '')).encode()
        if request.get('tag'):
            message.tag = request['tag']
        if request.get('key'):
            message.keys = request['key']
        if request.get('group'):
            message.message_group = request['group']
        if request.get('property'):
            message.add_property('p', request['property'])
        end = request.get('transaction')
        if end:
            transaction = producer.begin_transaction()
            receipt = producer.send(message, transaction)
            if end == 'COMMIT':
                transaction.commit()
            if end == 'ROLLBACK':
                transaction.rollback()
        else:
            receipt = producer.send(message)
        results.append({'messageId': receipt.message_id})
    return results


def shown(message):
    return {
        'messageId': message.message_id,
        'topic': message.topic,
        'body': message.body.decode(),
        'corrupted': message.corrupted,
        'tag': message.tag or None,
        'keys': list(message.keys or []),
        'group': message.message_group or None,
        'properties': dict(message.properties or {}),
        'attempt': message.delivery_attempt,
        'atMs': int(time.time() * 1000),
    }


def simple(request):
    consumer = SimpleConsumer(configuration(request), request['group'], None, await_duration=5)
    consumer.startup()
    consumer.subscribe(request['topic'], FilterExpression(request.get('tags', '*')))
    consumers[request['name']] = consumer
    return True


def receive(request):
    seconds = request.get('invisibleMs', 10000) // 1000
    found = []
    for message in consumers[request['name']].receive(request.get('max', 16), seconds) or []:
        receipt = f'{message.message_id}/{message.delivery_attempt}'
        held[receipt] = message
        found.append({**shown(message), 'receipt': receipt})
    return found


def ack(request):
    consumers[request['name']].ack(held[request['receipt']])
    return True


class Listener(MessageListener):
    def __init__(self, name, fail_first):
        self.name = name
        self.fail_first = fail_first

    def consume(self, message):
        received[self.name].append(shown(message))
        return ConsumeResult.FAILURE if message.delivery_attempt <= self.fail_first else ConsumeResult.SUCCESS


def push(request):
    name = request['name']
    received[name] = []
    listener = Listener(name, request.get('failFirst', 0))
    subscription = {request['topic']: FilterExpression(request.get('tags', '*'))}
    consumer = PushConsumer(configuration(request), request['group'], listener, subscription)
    consumer.startup()
    consumers[name] = consumer
    return True


def received_of(request):
    until = time.time() + request.get('timeoutMs', 10000) / 1000
    while len(received[request['name']]) < request.get('count', 1) and time.time() < until:
        time.sleep(0.01)
    return list(received[request['name']])


def close(request):
    consumers.pop(request['name']).shutdown()
    return True


commands = {
    'send': send, 'simple': simple, 'receive': receive, 'ack': ack, 'push': push, 'received': received_of,
    'close': close, 'checked': lambda request: checked,
}


def run(request):
    try:
        answer({'id': request['id'], 'result': commands[request['do']](request)})
    except Exception as error:
        answer({'id': request['id'], 'error': f'{type(error).__name__}: {error}', 'code': getattr(error, 'code', None)})


answer({'ready': True})
for line in sys.stdin:
    if line.strip():
        threading.Thread(target=run, args=(json.loads(line),), daemon=True).start()
os._exit(0)
