-- expand
ALTER TABLE event_worker VALIDATE CONSTRAINT event_worker_available_check;
