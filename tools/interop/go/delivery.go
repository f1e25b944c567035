package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

var (
	transactionProducers = map[string]rocketmq.TransactionProducer{}
	checks               = map[string]int{}
	checksLock           sync.Mutex
)

// outcomes says what the properties of the message say.
type outcomes struct{}

func stateOf(text string) primitive.LocalTransactionState {
	switch text {
	case "COMMIT_MESSAGE":
		return primitive.CommitMessageState
	case "ROLLBACK_MESSAGE":
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

func (outcomes) ExecuteLocalTransaction(m *primitive.Message) primitive.LocalTransactionState {
	return stateOf(m.GetProperty("outcome"))
}

func (outcomes) CheckLocalTransaction(m *primitive.MessageExt) primitive.LocalTransactionState {
	checksLock.Lock()
	defer checksLock.Unlock()
	checks[string(m.Body)]++
	return stateOf(m.GetProperty("check"))
}

func transactionProducerOf(r request) (rocketmq.TransactionProducer, error) {
	lock.Lock()
	defer lock.Unlock()
	if p := transactionProducers[r.Group]; p != nil {
		return p, nil
	}
	p, err := rocketmq.NewTransactionProducer(
		outcomes{},
		producer.WithNameServer(strings.Split(r.Namesrv, ";")),
		producer.WithGroupName(r.Group),
		producer.WithInstanceName(fmt.Sprint("t", time.Now().UnixNano())))
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	transactionProducers[r.Group] = p
	return p, nil
}

// transaction: `outcome` is what the local transaction says, `check` what the check-back says after that.
func transaction(r request) (any, error) {
	p, err := transactionProducerOf(r)
	if err != nil {
		return nil, err
	}
	m := messageOf(r, 0)
	m.WithProperty("outcome", r.Outcome)
	m.WithProperty("check", r.Check)
	s, err := p.SendMessageInTransaction(context.Background(), m)
	if err != nil {
		return nil, err
	}
	return resultOf(s.SendResult), nil
}

func checked(r request) (any, error) {
	checksLock.Lock()
	defer checksLock.Unlock()
	return checks[r.Body], nil
}

func ask(r request) (any, error) {
	p, err := producerOf(r)
	if err != nil {
		return nil, err
	}
	reply, err := p.Request(context.Background(), time.Duration(r.TimeoutMs)*time.Millisecond, messageOf(r, 0))
	if err != nil {
		return nil, err
	}
	return string(reply.Body), nil
}

func reply(r request, m *primitive.MessageExt) {
	body := []byte("re: " + string(m.Body))
	answer, err := consumer.CreateReplyMessage(m, body)
	if err != nil {
		return
	}
	answer.Body = body // v2.1.2 leaves it out.
	r.Group = "replier-" + r.Group
	if p, err := producerOf(r); err == nil {
		_, _ = p.SendSync(context.Background(), answer)
	}
}
