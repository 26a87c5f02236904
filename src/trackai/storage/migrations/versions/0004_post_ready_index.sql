drop index queue_messages_ready;
