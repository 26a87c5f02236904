-- People who disconnect a destination end what it is owed, with the reason.
grant update (reason, next_at) on deliveries to trackai_app;
