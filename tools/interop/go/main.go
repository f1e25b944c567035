// Official Go client behind lines of JSON: one command a line on standard input, one answer a line on standard output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

type request struct {
	ID         int               `json:"id"`
	Do         string            `json:"do"`
	Namesrv    string            `json:"namesrv"`
	Group      string            `json:"group"`
	Topic      string            `json:"topic"`
	Name       string            `json:"name"`
	Tag        string            `json:"tag"`
	Tags       json.RawMessage   `json:"tags"`
	Key        string            `json:"key"`
	Body       string            `json:"body"`
	Mode       string            `json:"mode"`
	Count      int               `json:"count"`
	TimeoutMs  int               `json:"timeoutMs"`
	DelayLevel int               `json:"delayLevel"`
	Orderly    bool              `json:"orderly"`
	Broadcast  bool              `json:"broadcasting"`
	Sql        string            `json:"sql"`
	FailFirst  int32             `json:"failFirst"`
	Report     bool              `json:"report"`
	Replies    bool              `json:"replies"`
	Outcome    string            `json:"outcome"`
	Check      string            `json:"check"`
	QueueId    *int              `json:"queueId"`
	Properties map[string]string `json:"properties"`
}

type running struct {
	sync.Mutex
	consumer rocketmq.PushConsumer
	got      []map[string]any
}

var (
	lock      sync.Mutex
	producers = map[string]rocketmq.Producer{}
	consumers = map[string]*running{}
	outLock   sync.Mutex
)

func answer(value map[string]any) {
	line, _ := json.Marshal(value)
	outLock.Lock()
	defer outLock.Unlock()
	fmt.Println(string(line))
}

func main() {
	rlog.SetLogLevel("fatal")
	answer(map[string]any{"ready": true})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1024*1024), 16*1024*1024)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			continue
		}
		go func() {
			result, err := run(r)
			if err != nil {
				answer(map[string]any{"id": r.ID, "error": err.Error()})
				return
			}
			answer(map[string]any{"id": r.ID, "result": result})
		}()
	}
}

func run(r request) (any, error) {
	switch r.Do {
	case "send":
		return send(r)
	case "push":
		return push(r)
	case "received":
		return received(r)
	case "transaction":
		return transaction(r)
	case "checked":
		return checked(r)
	case "request":
		return ask(r)
	case "stopConsumer":
		lock.Lock()
		c := consumers[r.Name]
		lock.Unlock()
		return true, c.consumer.Shutdown()
	}
	return nil, fmt.Errorf("unknown command %s", r.Do)
}

func producerOf(r request) (rocketmq.Producer, error) {
	lock.Lock()
	defer lock.Unlock()
	group := r.Group
	if group == "" {
		group = "interop-go-producer"
	}
	key := r.Namesrv + "|" + group
	selector := producer.NewRoundRobinQueueSelector()
	if r.QueueId != nil {
		key += "|queues"
		selector = producer.NewManualQueueSelector()
	}
	if p := producers[key]; p != nil {
		return p, nil
	}
	p, err := rocketmq.NewProducer(
		producer.WithNameServer(strings.Split(r.Namesrv, ";")),
		producer.WithGroupName(group),
		producer.WithInstanceName(fmt.Sprint("p", time.Now().UnixNano())),
		producer.WithQueueSelector(selector),
		producer.WithRetry(2),
		producer.WithCredentials(credentials()))
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	producers[key] = p
	return p, nil
}

// What SKUA_ACCESS_KEY and SKUA_SECRET_KEY say; empty keys sign nothing.
func credentials() primitive.Credentials {
	return primitive.Credentials{AccessKey: os.Getenv("SKUA_ACCESS_KEY"), SecretKey: os.Getenv("SKUA_SECRET_KEY")}
}

func messageOf(r request, i int) *primitive.Message {
	body := r.Body
	if body == "" {
		body = "hello"
	}
	if r.Count > 1 {
		body = fmt.Sprintf("%s %d", body, i)
	}
	m := primitive.NewMessage(r.Topic, []byte(body))
	var tags []string
	if json.Unmarshal(r.Tags, &tags) == nil && len(tags) > 0 {
		m.WithTag(tags[i%len(tags)])
	} else if r.Tag != "" {
		m.WithTag(r.Tag)
	}
	if r.Key != "" {
		m.WithKeys([]string{r.Key})
	}
	if r.DelayLevel > 0 {
		m.WithDelayTimeLevel(r.DelayLevel)
	}
	if r.QueueId != nil {
		m.Queue = &primitive.MessageQueue{Topic: r.Topic, BrokerName: "broker-a", QueueId: *r.QueueId}
	}
	for name, value := range r.Properties {
		m.WithProperty(name, value)
	}
	return m
}

func resultOf(s *primitive.SendResult) map[string]any {
	status := "OTHER"
	if s.Status == primitive.SendOK {
		status = "SEND_OK"
	}
	return map[string]any{"status": status, "msgId": s.MsgID, "offsetMsgId": s.OffsetMsgID, "queueId": s.MessageQueue.QueueId, "brokerName": s.MessageQueue.BrokerName, "queueOffset": s.QueueOffset}
}

func send(r request) (any, error) {
	p, err := producerOf(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if r.Count == 0 {
		r.Count = 1
	}
	results := []any{}
	if r.Mode == "batch" {
		var batch []*primitive.Message
		for i := 0; i < r.Count; i++ {
			batch = append(batch, messageOf(r, i))
		}
		s, err := p.SendSync(ctx, batch...)
		if err != nil {
			return nil, err
		}
		return []any{resultOf(s)}, nil
	}
	for i := 0; i < r.Count; i++ {
		m := messageOf(r, i)
		switch r.Mode {
		case "oneway":
			if err := p.SendOneWay(ctx, m); err != nil {
				return nil, err
			}
		case "async":
			done := make(chan error, 1)
			err := p.SendAsync(ctx, func(_ context.Context, s *primitive.SendResult, err error) {
				if err == nil {
					results = append(results, resultOf(s))
				}
				done <- err
			}, m)
			if err != nil {
				return nil, err
			}
			if err := <-done; err != nil {
				return nil, err
			}
		default:
			s, err := p.SendSync(ctx, m)
			if err != nil {
				return nil, err
			}
			results = append(results, resultOf(s))
		}
	}
	return results, nil
}

func push(r request) (any, error) {
	model := consumer.Clustering
	if r.Broadcast {
		model = consumer.BroadCasting
	}
	c, err := rocketmq.NewPushConsumer(
		consumer.WithNameServer(strings.Split(r.Namesrv, ";")),
		consumer.WithGroupName(r.Group),
		consumer.WithInstance(fmt.Sprint("c", time.Now().UnixNano())),
		consumer.WithConsumerModel(model),
		consumer.WithConsumerOrder(r.Orderly),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithCredentials(credentials()))
	if err != nil {
		return nil, err
	}
	live := &running{consumer: c}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}
	var tags string
	if json.Unmarshal(r.Tags, &tags) == nil && tags != "" {
		selector.Expression = tags
	}
	if r.Sql != "" {
		selector = consumer.MessageSelector{Type: consumer.SQL92, Expression: r.Sql}
	}
	err = c.Subscribe(r.Topic, selector, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		live.Lock()
		defer live.Unlock()
		for _, m := range messages {
			if r.Report {
				answer(map[string]any{"took": string(m.Body)})
				continue
			}
			live.got = append(live.got, map[string]any{
				"topic": m.Topic, "queueId": m.Queue.QueueId, "queueOffset": m.QueueOffset, "msgId": m.MsgId, "tags": m.GetTags(),
				"keys": m.GetKeys(), "body": string(m.Body), "reconsumeTimes": m.ReconsumeTimes, "properties": m.GetProperties(),
				"bornTimestamp": m.BornTimestamp, "receivedAt": time.Now().UnixMilli()})
			if r.Replies {
				reply(r, m)
			}
			if m.ReconsumeTimes < r.FailFirst {
				return consumer.ConsumeRetryLater, nil
			}
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	lock.Lock()
	consumers[r.Name] = live
	lock.Unlock()
	return true, nil
}

func received(r request) (any, error) {
	lock.Lock()
	live := consumers[r.Name]
	lock.Unlock()
	if live == nil {
		return nil, fmt.Errorf("no consumer %s", r.Name)
	}
	if r.TimeoutMs == 0 {
		r.TimeoutMs = 10000
	}
	until := time.Now().Add(time.Duration(r.TimeoutMs) * time.Millisecond)
	for {
		live.Lock()
		got := append([]map[string]any{}, live.got...)
		live.Unlock()
		if len(got) >= r.Count || time.Now().After(until) {
			return got, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}
