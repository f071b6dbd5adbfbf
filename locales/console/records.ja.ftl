# 顧客、商談、タスク、承認申請、案件、コメント、添付ファイル。

# 顧客。

status-LEAD = 見込み
status-ACTIVE = 取引中
status-DORMANT = 休眠
customers-new = 新規顧客追加
customers-total = { $text } 件
customers-search = 名前・フリガナ・会社・メールで検索
customers-duplicate = { $text } の顧客はすでにいます。下の顧客をご確認ください。
customers-duplicate-all = 該当する { $n } 件をすべて表示
customers-duplicate-allow = それでも別の顧客として作成する
customers-duplicate-back = 一覧に戻る
empty-customers = まだ顧客がいません。最初の顧客を作成しましょう。
empty-filtered = 条件に合うものはありません。条件を減らすと見つかるかもしれません。
customer-record = 基本情報
record-history = 履歴
customer-edit = { $text } を編集
customer-activity = 活動履歴
customer-changed = 変更: { $text }
customer-add-task = タスクを作成
customer-add-meeting = 商談を記録
customer-add-approval = 承認を申請
customer-removal = { $text } を削除
customer-removal-about = この顧客を削除すると、次の記録も一緒に処理されます (商談とタスクは削除、進行中の案件は失注、承認待ちの申請は取消、通知はアーカイブ)。
removal-nothing = 関連する記録はありません。
removal-heir = 引き継ぐ人
label-reassign-to = 引き継ぐ人
removal-approver = 承認待ちの申請を引き継ぐ承認者:
removal-submit = 削除する
counted-customers = 顧客
counted-meetings = 商談
counted-tasks = タスク
counted-approvals = 承認申請
counted-deals = 案件
counted-notifications = 通知

# 商談。

meetings-new = 商談を記録
meetings-minutes = { $n } 分
empty-meetings = 商談の記録はまだありません。会った人と結果を残しましょう。
none-meetings = 商談の記録はまだありません。

# タスク。

tasks-new = タスクを作成
tasks-complete = 完了
tasks-reopen = 未完了に戻す
tasks-done-of = 「{ $text }」の完了
tasks-completed-of = 「{ $text }」を完了しました。
tasks-reopened-of = 「{ $text }」を未完了に戻しました。
tasks-postpone = 延期
tasks-postpone-of = 「{ $text }」の延期
tasks-postponed-of = 「{ $text }」を延期しました。
postpone-tomorrow = 明日
postpone-monday = 次の月曜日
postpone-next-week = 1週間後
task-OPEN = 未完了
task-DONE = 完了
due-overdue = 期限切れ
due-soon = 期限間近
due-done = 完了
empty-tasks = 未完了のタスクはありません。次の予定を入れましょう。
empty-tasks-done = 完了したタスクはまだありません。
none-tasks = タスクはまだありません。

# 承認申請。

approvals-new = 承認を申請
approval-PENDING = 承認待ち
approval-APPROVED = 承認済み
approval-REJECTED = 却下
approval-CANCELLED = 取消
approval-decision = 決裁
approval-comment-hint = 却下する場合は必須
approval-approve = 承認する
approval-reject = 却下する
approval-cancel = 申請を取り消す
approval-cancel-confirm = 「{ $text }」の申請を取り消します。よろしいですか。
approval-reassign = 承認者の変更
approval-reassign-submit = 承認者を変更する
approver-everyone = すべてのマネージャー
empty-approvals = 承認申請はまだありません。値引きや契約の承認を申請できます。
none-approvals = 承認申請はまだありません。

# 案件。

deals-new = 案件を作成
deals-board = ボード
deals-list = 一覧
deals-view = 表示
deals-of = { $n } 件
deals-none-here = 案件なし
deals-weighted = 見込み { $text }
deals-more = 全 { $n } 件を一覧で見る
deals-move = 「{ $text }」の移動先
deals-move-to = 移動先…
deals-move-submit = 移動
deals-moved = 「{ $text }」を移動しました。
deals-reason-ask = 「{ $text }」の失注理由
deals-keys = カードを別の列にドラッグするか、カードのステージを選んで移動できます。
deals-no-day = 予定日なし
deals-overdue = 予定日超過
deals-closed-with-customer = 顧客の削除
deals-percent = { $n }%
deal-stage = ステージ
deal-move = ステージの変更
deal-approvals = この案件の承認申請
deal-reason-hint = 失注のときだけ必要です
deal-probability-hint = パーセント。空欄ならステージの標準値
stage-QUALIFY = 見極め
stage-PROPOSE = 提案
stage-NEGOTIATE = 交渉
stage-WON = 受注
stage-LOST = 失注
empty-deals = 案件はまだありません。最初の案件を作成できます。
none-deals = 案件はまだありません。
home-deals = 自分の進行中の案件
home-deals-none = 進行中の案件はありません。
home-deals-all = 自分の進行中の案件をすべて見る
done-deal-added = 案件を作成しました。
done-moved = 案件を移動しました。

# コメント

comments-title = コメント
comments-of = 「{ $text }」へのコメント
comments-edit = コメントの編集
comments-edited = 編集済み
comments-submit = コメントを投稿
comments-hint = 「@」と名前でメンションできます。
comments-named = お探しのコメント
comments-confirm-delete = このコメントを削除します。よろしいですか。この操作は取り消せません。
none-comments = コメントはまだありません。
mentions-label = メンションする人
label-text = コメントの内容
done-commented = コメントを投稿しました。

# 添付ファイル

attachments-title = 添付ファイル
attachments-of = 「{ $text }」の添付ファイル
attachments-submit = 添付する
attachments-choose = 添付するファイル
attachments-hint = 10 MiB まで。PDF、画像、Office・OpenDocument 文書、テキスト、CSV、ZIP。
attachments-confirm-remove = このファイルを削除します。よろしいですか。この操作は取り消せません。
none-attachments = 添付ファイルはまだありません。
done-attached = ファイルを添付しました。
