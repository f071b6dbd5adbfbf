why = なぜ?
why-request = ユーザーの操作
why-schedule = 定時の処理
why-consumer = 下のイベントを受けた Kizuna の処理({ $text })
why-system = Kizuna 自身
