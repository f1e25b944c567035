package orders

import (
	"context"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

type clients struct {
	producer rocketmq.Producer
	bills    chan string
}

func start(t *testing.T, broker *skuaBroker) *clients {
	t.Helper()
	rlog.SetLogLevel("fatal")
	servers := primitive.NamesrvAddr{broker.NamesrvAddr}
	sender, err := rocketmq.NewProducer(
		producer.WithNameServer(servers), producer.WithGroupName("orders"), producer.WithRetry(0),
		producer.WithInstanceName("p"+t.Name()))
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sender.Shutdown() })
	bills := make(chan string, 100)
	receiver, err := rocketmq.NewPushConsumer(
		consumer.WithNameServer(servers), consumer.WithGroupName("billing"), consumer.WithInstance("c"+t.Name()),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		t.Fatal(err)
	}
	handle := func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			bills <- string(message.Body)
		}
		return consumer.ConsumeSuccess, nil
	}
	if err := receiver.Subscribe("Orders", consumer.MessageSelector{}, handle); err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { receiver.Shutdown() })
	return &clients{sender, bills}
}

func (c *clients) billed(t *testing.T, wanted string) {
	t.Helper()
	select {
	case bill := <-c.bills:
		if bill != wanted {
			t.Fatalf("%s was billed, and not %s", bill, wanted)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s was not billed", wanted)
	}
}

func (c *clients) nothingBilled(t *testing.T) {
	t.Helper()
	select {
	case bill := <-c.bills:
		t.Fatalf("%s was billed", bill)
	case <-time.After(200 * time.Millisecond):
	}
}

func TestADelayedOrderIsBilledWhenItIsDue(t *testing.T) {
	broker := startBroker(t)
	if err := broker.ask("POST", "/topics", []string{"Orders"}); err != nil {
		t.Fatal(err)
	}
	service := start(t, broker)
	later := primitive.NewMessage("Orders", []byte("in two hours")).WithDelayTimeLevel(18)
	for _, order := range []*primitive.Message{primitive.NewMessage("Orders", []byte("now")), later} {
		if _, err := service.producer.SendSync(context.Background(), order); err != nil {
			t.Fatal(err)
		}
	}
	service.billed(t, "now")
	broker.advance(t, "119m")
	service.nothingBilled(t)
	broker.advance(t, "1m")
	service.billed(t, "in two hours")
}

func TestASendThatIsRefusedFails(t *testing.T) {
	broker := startBroker(t)
	if err := broker.ask("POST", "/topics", []string{"Orders"}); err != nil {
		t.Fatal(err)
	}
	service := start(t, broker)
	fault := map[string]interface{}{"kind": "refuse", "request": "send", "code": "TOPIC_NOT_EXIST", "times": 1}
	if err := broker.ask("POST", "/faults", fault); err != nil {
		t.Fatal(err)
	}
	order := primitive.NewMessage("Orders", []byte("now"))
	if _, err := service.producer.SendSync(context.Background(), order); err == nil {
		t.Fatal("it was not refused")
	}
	if _, err := service.producer.SendSync(context.Background(), order); err != nil {
		t.Fatal(err)
	}
	service.billed(t, "now")
	wanted := map[string]interface{}{"group": "billing", "topic": "Orders", "text": "now", "waitMs": 20000}
	if err := broker.ask("POST", "/expect/delivered", wanted); err != nil {
		t.Fatal(err)
	}
}
